# Nobody answers: 32 s each, 100 ms, then a pause of two minutes and more.
phone 7975
servers A B
at 0 A mute
at 0 B silent
until 300
