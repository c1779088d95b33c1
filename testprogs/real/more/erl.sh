# needs: erl
erl -noshell -eval 'L=[spawn(fun()->receive {P,N}->P!N*2 end end)||_<-lists:seq(1,1000)], [X!{self(),1}||X<-L], S=lists:sum([receive N->N end||_<-L]), io:format("~p~n",[S]), halt().'
