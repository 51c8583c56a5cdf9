# A reset waits half a moment.
phone 9971
servers A B
at 10 A orders reset
until 30
