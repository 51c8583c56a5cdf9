# Nobody has added the phone.
report story fr
cdp 20
dhcp discover
dhcp offer 150
dhcp request
dhcp ack 150
missing CTLSEP001D45AABBCC.tlv
missing SEP001D45AABBCC.cnf.xml
missing XMLDefault.cnf.xml
wait 5
missing SEP001D45AABBCC.cnf.xml
missing XMLDefault.cnf.xml
wait 20
