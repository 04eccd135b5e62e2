package voicemail

import "golang.org/x/sys/unix"

// leastFree is how many bytes must be free for a message to be taken: one of five minutes, and what the store needs.
const leastFree = 32 << 20

// freeSpace is how many bytes may still be written where path is.
func freeSpace(path string) (int64, error) {
	var s unix.Statfs_t
	if err := unix.Statfs(path, &s); err != nil {
		return 0, err
	}
	return int64(s.Bavail) * int64(s.Bsize), nil
}
