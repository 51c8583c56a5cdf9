# The server names another one, and is not believed for ever.
phone 8841
servers A B
at 0 A answers 302
until 40
