"""Rules of registration: values in, values out."""
