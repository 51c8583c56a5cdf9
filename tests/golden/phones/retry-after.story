# 503 with Retry-After: the same connection, the same Call-ID, exactly then.
phone 8841
servers A B
at 0 A answers 503 35
at 80 A answers 200
until 120
