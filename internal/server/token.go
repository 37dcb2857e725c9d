package server

import (
	"crypto/rand"
	"errors"
	"io/fs"
	"os"
	"strings"
)

// token reads the token that HTTP clients show, and makes it at the first start. Only the
// owner of the storage folder can read it.
func token(name string) (string, error) {
	b, err := os.ReadFile(name)
	if err == nil {
		if t := strings.TrimSpace(string(b)); len(t) >= 16 {
			return t, nil
		}
		return "", errors.New(name + " is too short: remove it to have a new one made")
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return "", err
	}
	t := rand.Text()
	return t, os.WriteFile(name, []byte(t+"\n"), 0o600)
}
