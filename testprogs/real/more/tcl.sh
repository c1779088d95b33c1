# needs: tclsh
echo 'for {set i 0} {$i<50000} {incr i} {set a($i) [string repeat x [expr $i%40]]}; puts [array size a]; puts [exec echo hi]' > x.tcl
tclsh x.tcl
