"""What happens when: sessions, speakers, slots, published versions."""
