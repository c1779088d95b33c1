# needs: samtools bcftools blastn makeblastdb
python3 -c '
import random
random.seed(1)
g = "".join(random.choice("ACGT") for _ in range(20000))
open("g.fa", "w").write(">g\n" + g + "\n")
with open("r.sam", "w") as f:
    f.write("@HD\tVN:1.6\tSO:unsorted\n@SQ\tSN:g\tLN:20000\n")
    for i in range(3000):
        p = random.randrange(19900)
        f.write(f"r{i}\t0\tg\t{p+1}\t60\t100M\t*\t0\t0\t{g[p:p+100]}\t{chr(73) * 100}\n")
open("q.fa", "w").write(">q\n" + g[500:700] + "\n")
'
samtools sort -@ 3 -o r.bam r.sam 2>/dev/null; echo $?
samtools index -@ 2 r.bam; samtools flagstat -@ 2 r.bam | head -1
samtools faidx g.fa; bcftools mpileup --threads 2 -f g.fa r.bam 2>/dev/null | bcftools call -mv --ploidy 1 2>/dev/null | grep -vc '^##'
makeblastdb -in g.fa -dbtype nucl -out db >/dev/null; echo $?
blastn -db db -query q.fa -num_threads 3 -outfmt 6
