# needs: pandoc
printf '# T\n\n- a\n- b\n\n*x* **y** [l](u)\n' | pandoc -f markdown -t html
