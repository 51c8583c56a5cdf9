# 24 s are taken for an error: it unregisters, and is silent for its own hour.
phone 7975
servers A
at 0 A grants 24
at 100 A grants 30
until 3700
