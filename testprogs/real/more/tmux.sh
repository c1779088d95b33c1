# needs: tmux
tmux -L w -f /dev/null new-session -d 'echo in; sleep 1'
tmux -L w list-sessions | cut -d: -f1
tmux -L w kill-server
echo done
