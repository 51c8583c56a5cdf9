# 404 to everything: both connections are closed at once, then each server gets its 32 s.
phone 7975
servers A B
at 0 A answers 404
at 0 B answers 404
until 300
