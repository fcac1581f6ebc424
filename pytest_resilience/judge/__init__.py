"""The judge: plays scenarios to a client, and says what it found.

Not named after ``verify``, its one function, for the module would hide the function.
"""
