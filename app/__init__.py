"""Sala: registration, programme and calendars for academic security forums."""
