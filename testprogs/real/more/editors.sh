# needs: nvim ed nano w3m mc
printf 'b\na\nc\n' > t
nvim --headless -u NONE t '+sort' '+w' '+lua print(#vim.api.nvim_buf_get_lines(0,0,-1,false))' '+qa' 2>&1; echo $?
cat t
printf ',p\ng/b/s//B/\nw\nq\n' | ed -s t; echo $?
printf '<h1>x</h1><p>y<ul><li>a<li>b</ul>' > a.html
w3m -dump a.html; echo $?
mc --version | head -1; echo $?
nano --version | head -1; echo $?
