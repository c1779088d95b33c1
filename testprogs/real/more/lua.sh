# needs: lua5.4
lua5.4 -e 't={} for i=1,200000 do t[i]={i,tostring(i)} end local c=coroutine.wrap(function() for i=1,1000 do coroutine.yield(i) end end) local s=0 for i=1,1000 do s=s+c() end print(#t,s)'
