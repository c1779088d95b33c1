# needs: dovecot doveconf python3
mkdir run mail; chmod 755 .
cat > d.conf <<EOF
base_dir = $PWD/run
state_dir = $PWD/run
log_path = $PWD/log
protocols = imap
ssl = no
default_login_user = dovenull
default_internal_user = dovecot
mail_location = maildir:$PWD/mail/%u
first_valid_uid = 0
mail_uid = root
mail_gid = root
disable_plaintext_auth = no
passdb {
  driver = static
  args = password=s
}
userdb {
  driver = static
  args = uid=root gid=root home=$PWD/mail/%u
}
service imap-login {
  inet_listener imap {
    address = 127.0.0.1
    port = 18141
  }
  inet_listener imaps {
    port = 0
  }
}
service anvil {
  chroot =
}
EOF
dovecot -F -c d.conf >/dev/null 2>&1 &
p=$!
sleep 2
python3 - <<EOF
import imaplib
for user in ('a', 'b', 'c'):
    box = imaplib.IMAP4('127.0.0.1', 18141)
    print(box.login(user, 's')[0])
    for number in range(5):
        box.append('INBOX', None, None, b'Subject: x\r\n\r\nbody %d\r\n' % number)
    print(box.select('INBOX'), box.search(None, 'SUBJECT', 'x'))
    print(box.logout()[0])
EOF
kill $p
wait $p
echo $?
