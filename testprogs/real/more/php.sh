# needs: php
php -r '$a=[]; for($i=0;$i<200000;$i++){$a["k$i"]=str_repeat("x",$i%50);} echo count($a),"\n"; echo strlen(json_encode($a)),"\n"; preg_match_all("/\d+/",json_encode(range(1,1000)),$m); echo count($m[0]),"\n";'
