"""Rules of the programme: values in, values out."""
