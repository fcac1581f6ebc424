"""What a real server answered, on file, and where a fake answers otherwise.

*Problem.* A fake that is wrong makes tests green that production turns red, and nobody reads
the documentation of a service as closely as its clients depend on it.

*Solution.* `proxy` stands once between a test suite and the real server and writes down every
exchange, with each secret replaced by a name that stays the same (`masking`). `replay` sends
the same requests to the fake, with the fake's own values where the real server had minted
one, and `compare` tells where status, headers and the shape of a body differ (`shape`).
"""
