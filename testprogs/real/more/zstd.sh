# needs: zstd xz
seq 300000 > s
zstd -q -T4 s
zstd -dqc s.zst | cksum
xz -T2 -k s
xzcat s.xz | cksum
gzip -k s
zcat s.gz | cksum
bzip2 -k s
bzcat s.bz2 | cksum
