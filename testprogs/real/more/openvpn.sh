# needs: openvpn
openvpn --genkey secret k
echo $?
openvpn --test-crypto --cipher AES-256-CBC --secret k 2>/dev/null | sed 's/^[-0-9: ]*//' | grep -c TESTING
openvpn --show-ciphers | grep -c bit
