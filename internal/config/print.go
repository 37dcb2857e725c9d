package config

import (
	"fmt"
	"io"
	"strings"
	"time"
)

// Explain lists every key with its value, where the value came from, and its meaning.
func (l *Loader) Explain(w io.Writer) {
	for _, k := range keys() {
		if k.pending != "" {
			fmt.Fprintf(w, "%s\n    not part of this version: %s\n", k.name, k.pending)
			continue
		}
		fmt.Fprintf(w, "%s = %s\n    %s\n    from %s; environment %s", k.name, value(k, l.Config), k.help, l.from(k.name), Variable(k.name))
		if len(k.aliases) > 0 {
			fmt.Fprintf(w, "; also %s", strings.Join(k.aliases, ", "))
		}
		fmt.Fprintln(w)
	}
}

func value(k key, c *Config) string {
	p := k.value(c)
	if d, ok := p.(*time.Duration); ok {
		return d.String()
	}
	return describe(p)
}

// Sample writes a configuration file with every key at its default, commented out.
func Sample(w io.Writer) {
	fmt.Fprintln(w, "# Gantry. Every key is at its default; remove the # of what you change.")
	section := []string(nil)
	for _, k := range keys() {
		if k.pending != "" {
			continue
		}
		parts := strings.Split(k.name, ".")
		dir, name := parts[:len(parts)-1], parts[len(parts)-1]
		writeSection(w, section, dir)
		section = dir
		indent := strings.Repeat("  ", len(dir))
		fmt.Fprintf(w, "%s# %s\n", indent, k.help)
		if k.values != "" {
			fmt.Fprintf(w, "%s# one of %s\n", indent, strings.ReplaceAll(k.values, "|", ", "))
		}
		fmt.Fprintf(w, "%s#%s: %s\n", indent, name, yamlValue(k))
	}
}

func writeSection(w io.Writer, old, now []string) {
	same := 0
	for same < len(old) && same < len(now) && old[same] == now[same] {
		same++
	}
	for ; same < len(now); same++ {
		fmt.Fprintf(w, "%s%s:\n", strings.Repeat("  ", same), now[same])
	}
}

func yamlValue(k key) string {
	v := value(k, Default())
	switch k.value(Default()).(type) {
	case *[]string, *[]Peer:
		return "[]"
	case *string:
		return fmt.Sprintf("%q", v)
	}
	return v
}

// Pending lists the keys that are known and not part of this version.
func Pending() []string {
	var out []string
	for _, k := range keys() {
		if k.pending != "" {
			out = append(out, k.name)
		}
	}
	return out
}
