# needs: vim
printf 'hello\nworld\n' > f
vim -es -u NONE -c '%s/o/0/g' -c 'wq' f
cat f
