# What an 8851 says, word for word.
phone 8851 lines=2
servers A B
at 20 A orders check-version badly
at 30 A orders restart
until 60
show
