"""Secrets, the ways in which they are written, and the search for them in texts and bytes.

*Problem.* A token gets into a log whole or cut, plain or quoted, in base64 within a Basic
credential, in hex, as the repr of bytes, in a JSON string within a JSON string. To write each
of these spellings down for each secret and look for them one by one takes long, and misses
the mixtures.

*Solution.* What escapes single characters is undone on the side of the text, layer by layer
(`views`); only what spreads characters over others, base64 and hex, is spelled out on the
side of the secret (`needles`). `search` looks for all of them at once.
"""
