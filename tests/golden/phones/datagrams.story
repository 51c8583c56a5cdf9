# Over UDP each request is sent up to ten times: 0.5, 1, 2, 4, 4 … s apart.
phone 7960 lines=2
servers A B
at 150 A silent
until 320
show
