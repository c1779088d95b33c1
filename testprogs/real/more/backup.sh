# needs: borg restic
export BORG_PASSPHRASE=x RESTIC_PASSWORD=x BORG_BASE_DIR=$PWD/b RESTIC_CACHE_DIR=$PWD/c
mkdir d; for i in $(seq 50); do seq $((i * 100)) > d/$i; done
borg init -e repokey r; echo $?
borg create r::a d; echo $?
borg check r; echo $?
mkdir x; (cd x; borg extract ../r::a; diff -r d ../d; echo $?)
restic -q init -r s >/dev/null; echo $?
restic -q backup -r s d; echo $?
restic -q check -r s >/dev/null; echo $?
restic -q restore -r s latest --target y >/dev/null 2>&1; echo $?
diff -r d y"$PWD"/d 2>/dev/null || diff -r d y/d; echo $?
