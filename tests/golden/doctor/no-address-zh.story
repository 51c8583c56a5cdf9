# Nobody gives addresses.
report text zh
cdp none
dhcp discover
wait 4
dhcp discover
wait 8
dhcp discover
wait 16
