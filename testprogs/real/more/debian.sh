# needs: dpkg-deb apt-ftparchive apt-config mmdebstrap systemd-analyze xz
mkdir -p p/DEBIAN p/usr/share/x; seq 1000 > p/usr/share/x/a
printf 'Package: x\nVersion: 1\nArchitecture: all\nMaintainer: a <a@b.c>\nDescription: x\n' > p/DEBIAN/control
chmod 755 p p/DEBIAN
dpkg-deb --root-owner-group -b p x.deb; echo $?
dpkg-deb -c x.deb | wc -l
apt-ftparchive packages . | grep -v -E '^(MD5|SHA)' | head -5
mkdir -p s/lists/partial c/archives/partial e
printf 'deb [trusted=yes] file:%s ./\n' "$PWD" > e/sources.list
apt-ftparchive packages . > Packages
set -- -o Dir::State=$PWD/s -o Dir::State::lists=$PWD/s/lists -o Dir::Cache=$PWD/c -o Dir::Etc=$PWD/e -o Dir::Etc::sourcelist=$PWD/e/sources.list -o Dir::Etc::sourceparts=- -o APT::Sandbox::User=root
apt-get "$@" -qq update >/dev/null 2>&1; echo $?
apt-cache "$@" policy x | grep Candidate
systemd-analyze calendar '*-*-* 00:00:00' >/dev/null; echo $?
systemd-analyze verify /lib/systemd/system/cron.service >/dev/null 2>&1; echo $?
systemd-analyze timespan 90min | head -2
