# Orders: what is understood is obeyed, what does not quote the Call-ID is refused.
phone 8851
servers A
at 10 A orders reset badly
at 11 A says message-summary
at 12 A says nonsense
at 13 A orders check-version
at 14 A orders apply-config reregister
until 30
