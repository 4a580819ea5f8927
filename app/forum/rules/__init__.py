"""What holds for forums, as pure functions: values in, values out."""
