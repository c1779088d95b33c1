# needs: firefox file
printf '<html><body><h1>hello</h1><script>let w=[];for(let i=0;i<3;i++){w.push(new Worker(URL.createObjectURL(new Blob(["let s=0;for(let i=0;i<1e6;i++)s+=i;postMessage(s)"]))))}document.body.append(new Array(1000).fill(1).length)</script></body></html>' > a.html
timeout 150 firefox --headless --no-remote --profile "$PWD/p" --window-size 300,200 --screenshot "$PWD/o.png" "file://$PWD/a.html" >/dev/null 2>&1
echo $?
file o.png
