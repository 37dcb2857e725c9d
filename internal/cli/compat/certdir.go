package compat

import (
	"errors"
	"path/filepath"
)

// certDir appends the files of certificates in a folder.
func certDir(p *[]string) func([]string) error {
	return func(v []string) error {
		n := len(*p)
		for _, pattern := range [...]string{"*.pem", "*.crt", "*.cer"} {
			found, err := filepath.Glob(filepath.Join(v[0], pattern))
			if err != nil {
				return err
			}
			*p = append(*p, found...)
		}
		if len(*p) == n {
			return errors.New("no *.pem, *.crt or *.cer file there")
		}
		return nil
	}
}
