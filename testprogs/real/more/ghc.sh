# needs: ghc
cat > m.hs <<'EOF'
import Control.Concurrent
import Control.Monad
import qualified Data.Map.Strict as M
main :: IO ()
main = do
  done <- newEmptyMVar
  shared <- newMVar (M.empty :: M.Map Int Int)
  forM_ [1 .. 8] $ \n -> forkOS $ do
    forM_ [1 .. 500] $ \k -> modifyMVar_ shared (return . M.insertWith (+) (k `mod` 50) n)
    putMVar done ()
  replicateM_ 8 (takeMVar done)
  m <- takeMVar shared
  print (M.size m, sum (M.elems m))
EOF
ghc -v0 -O -threaded -rtsopts m.hs -o m
echo $?
./m +RTS -N2
echo $?
ghc -v0 -e 'print (take 5 (filter even [1..]))'
echo $?
