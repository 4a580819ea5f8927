"""The HTML door: reads what people send, calls one deed or query, and shows the answer in their language."""
