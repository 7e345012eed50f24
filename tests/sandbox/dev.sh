# Covers /dev with a small one of our own, in a mount namespace of our own: so that nothing depends on
# what the machine has there, and nothing is left behind on it. There is no /dev/mqueue.
#
# `sh -e` reads this with an empty directory as the working directory, as root of the namespace. That
# may be an ordinary user, who cannot make device nodes; so the machine's are mounted one by one.
mkdir dev
mount -t tmpfs -o mode=755 tmpfs dev
cd dev
mkdir pts shm
touch null zero full random urandom tty
ln -s pts/ptmx ptmx
ln -s /proc/self/fd fd
ln -s fd/0 stdin
ln -s fd/1 stdout
ln -s fd/2 stderr
# One mount(8) for all of them: it runs for every test.
cat > fstab <<END
/dev/null    $PWD/null    none   bind
/dev/zero    $PWD/zero    none   bind
/dev/full    $PWD/full    none   bind
/dev/random  $PWD/random  none   bind
/dev/urandom $PWD/urandom none   bind
/dev/tty     $PWD/tty     none   bind
devpts       $PWD/pts     devpts newinstance,mode=620,ptmxmode=666
tmpfs        $PWD/shm     tmpfs  mode=1777
END
mount -a -T fstab
rm fstab
cd ..
# Without -n, mount(8) would note this in a file of the machine.
mount -n --move dev /dev
rmdir dev
