# needs: ruby
ruby -e 'f=100.times.map{|i| Fiber.new{ 10.times{|j| Fiber.yield j}; :done}}; f.each{|x| 11.times{x.resume}}; p f.size; r=4.times.map{|i| Ractor.new(i){|n| n*2}}; p r.map(&:take).sum'
