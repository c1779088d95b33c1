# needs: tor
mkdir -m 700 d
tor --list-fingerprint --DataDirectory $PWD/d --ORPort 18139 --Nickname x --DisableNetwork 1 --quiet --Address 127.0.0.1 --ContactInfo x >/dev/null 2>&1; echo $?
tor --hash-password x --quiet | wc -c
timeout -s INT 6 tor -f /dev/null --DataDirectory $PWD/d --DisableNetwork 1 --SocksPort 0 --quiet; echo $?
