# The service does not run: six phones at once.
report text en
phone 1
dhcp discover
dhcp offer 150
dhcp request
dhcp ack 150
file SEP001D45AABBCD.cnf.xml <device><devicePool><callManagerGroup><members><member priority="0"><callManager><ports><ethernetPhonePort>2000</ethernetPhonePort></ports><processNodeName>10.0.0.1</processNodeName></callManager></member></members></callManagerGroup></devicePool></device>
syn
rst
wait 1
syn
rst
phone 2
dhcp discover
dhcp offer 150
dhcp request
dhcp ack 150
file SEP001D45AABBCE.cnf.xml <device><devicePool><callManagerGroup><members><member priority="0"><callManager><ports><ethernetPhonePort>2000</ethernetPhonePort></ports><processNodeName>10.0.0.1</processNodeName></callManager></member></members></callManagerGroup></devicePool></device>
syn
rst
wait 1
syn
rst
phone 3
dhcp discover
dhcp offer 150
dhcp request
dhcp ack 150
file SEP001D45AABBCF.cnf.xml <device><devicePool><callManagerGroup><members><member priority="0"><callManager><ports><ethernetPhonePort>2000</ethernetPhonePort></ports><processNodeName>10.0.0.1</processNodeName></callManager></member></members></callManagerGroup></devicePool></device>
syn
rst
wait 1
syn
rst
phone 4
dhcp discover
dhcp offer 150
dhcp request
dhcp ack 150
file SEP001D45AABBD0.cnf.xml <device><devicePool><callManagerGroup><members><member priority="0"><callManager><ports><ethernetPhonePort>2000</ethernetPhonePort></ports><processNodeName>10.0.0.1</processNodeName></callManager></member></members></callManagerGroup></devicePool></device>
syn
rst
wait 1
syn
rst
phone 5
dhcp discover
dhcp offer 150
dhcp request
dhcp ack 150
file SEP001D45AABBD1.cnf.xml <device><devicePool><callManagerGroup><members><member priority="0"><callManager><ports><ethernetPhonePort>2000</ethernetPhonePort></ports><processNodeName>10.0.0.1</processNodeName></callManager></member></members></callManagerGroup></devicePool></device>
syn
rst
wait 1
syn
rst
phone 6
dhcp discover
dhcp offer 150
dhcp request
dhcp ack 150
file SEP001D45AABBD2.cnf.xml <device><devicePool><callManagerGroup><members><member priority="0"><callManager><ports><ethernetPhonePort>2000</ethernetPhonePort></ports><processNodeName>10.0.0.1</processNodeName></callManager></member></members></callManagerGroup></devicePool></device>
syn
rst
wait 1
syn
rst
wait 20
