# needs: ruby
ruby -e 'require "json"; h={}; 100000.times{|i| h[i.to_s]=[i,i.to_s]}; s=h.to_json; puts JSON.parse(s).size; t=8.times.map{|i| Thread.new{ q=0; 100000.times{|j| q+=j}; q}}; p t.map(&:value).sum; puts `echo sub`'
