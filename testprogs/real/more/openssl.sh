# needs: openssl
openssl genrsa 2048 2>/dev/null | openssl rsa -check -noout 2>&1
echo a | openssl dgst -sha256
openssl speed -seconds 1 -elapsed sha256 2>/dev/null | head -1 | cut -c1-10
