# The server sends the file, the phone never sees it.
report text en
both
dhcp discover
dhcp offer 150
dhcp request
dhcp ack 150
missing CTLSEP001D45AABBCC.tlv
lose down
file SEP001D45AABBCC.cnf.xml <device><devicePool><callManagerGroup><members><member priority="0"><callManager><ports><ethernetPhonePort>2000</ethernetPhonePort></ports><processNodeName>10.0.0.1</processNodeName></callManager></member></members></callManagerGroup></devicePool></device>
wait 4
file SEP001D45AABBCC.cnf.xml <device><devicePool><callManagerGroup><members><member priority="0"><callManager><ports><ethernetPhonePort>2000</ethernetPhonePort></ports><processNodeName>10.0.0.1</processNodeName></callManager></member></members></callManagerGroup></devicePool></device>
wait 4
file SEP001D45AABBCC.cnf.xml <device><devicePool><callManagerGroup><members><member priority="0"><callManager><ports><ethernetPhonePort>2000</ethernetPhonePort></ports><processNodeName>10.0.0.1</processNodeName></callManager></member></members></callManagerGroup></devicePool></device>
wait 20
