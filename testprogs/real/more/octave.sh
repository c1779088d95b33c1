# needs: octave
octave --no-gui --quiet --eval 'a=magic(50); b=a\ones(50,1); printf("%d\n",rows(b)); c=cellfun(@(x) x*2,num2cell(1:1000)); disp(sum(c))'
