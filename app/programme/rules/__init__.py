"""The pure rules of the programme: values in, values out."""
