# needs: perl
perl -e 'use threads; use Thread::Queue; my $q=Thread::Queue->new; my @t=map{threads->create(sub{my $s=0; while(defined(my $x=$q->dequeue)){$s+=$x} $s})}1..4; $q->enqueue($_) for 1..2000; $q->end; my $s=0; $s+=$_->join for @t; print "$s\n"'
