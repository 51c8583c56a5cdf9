# The file is there, and there is nothing in it.
report text en
cdp 20
dhcp discover
dhcp offer 150
dhcp request
dhcp ack 150
missing CTLSEP001D45AABBCC.tlv
file SEP001D45AABBCC.cnf.xml
wait 20
