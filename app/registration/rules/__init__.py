"""The pure rules of registration: values in, values out."""
