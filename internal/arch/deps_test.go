// Package arch holds the rules that keep the tree in one direction.
package arch

import (
	"go/parser"
	"go/token"
	"io/fs"
	"path"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// rules says what a package may import of ours: the first row whose pattern fits it
// counts. A pattern ending in /... takes the folder and everything below. Do not widen a
// row to make a build pass: move the code.
const rules = `
dicom/tag            :
dicom/vr             :
dicom/uid            :
dicom/dict           : dicom/tag dicom/vr dicom/uid
dicom/charset        : dicom/tag dicom/vr dicom/uid
dicom/value          : dicom/tag dicom/vr dicom/uid
dicom                : dicom/tag dicom/vr dicom/uid dicom/dict dicom/charset dicom/value
dicom/dcmjson        : dicom dicom/tag dicom/vr dicom/dcmjson/model
dicom/dcmxml         : dicom dicom/tag dicom/vr dicom/dict dicom/dcmjson/model
dicom/...            : dicom dicom/tag dicom/vr dicom/uid dicom/dict dicom/charset dicom/value dicom/part10
pixel/internal/codectest : dicom dicom/...
pixel/internal/...   :
pixel/rle            : pixel/internal/bits
pixel/jpegll         : pixel/internal/bits pixel/internal/huff pixel/internal/marker
pixel/jpegls         : pixel/internal/bits pixel/internal/marker
pixel/jpeg           : pixel/internal/bits pixel/internal/huff pixel/internal/marker
pixel/j2k            :
pixel/jxl            :
pixel/render/ecg     : dicom dicom/...
pixel/render         : dicom dicom/... pixel pixel/j2k
pixel                : dicom dicom/... pixel/rle pixel/jpegll pixel/jpegls pixel/jpeg pixel/j2k pixel/jxl
ul                   : dicom/uid
dimse                : ul dicom dicom/...
service/retrieve     : dimse ul dicom dicom/... service/query
service/...          : dimse ul dicom dicom/...
dicomtest            : dicom dicom/... ul dimse service/...
internal/gen         : dicom/tag dicom/vr dicom/uid
internal/vfs         :
internal/archive/record : dicom/tag dicom/vr dicom/uid
internal/archive/egress : dicom dicom/... pixel
internal/archive/blob/... : internal/archive/record internal/archive/blob/... internal/vfs dicom/uid
internal/archive/index/... : internal/archive/record internal/archive/index/... dicom dicom/...
internal/archive/ingest/... : internal/archive/... internal/vfs dicom dicom/...
internal/archive/... : internal/archive/... internal/vfs dicom dicom/...
internal/front/dimsefront : internal/archive/... internal/config internal/auth internal/audit internal/obs dimse ul service/... dicom dicom/...
internal/front/...   : internal/archive/... internal/config internal/auth internal/audit internal/obs dicom dicom/...
internal/config      : dicom/uid
internal/obs         :
internal/tlsconf     :
internal/server      : dicom dicom/... ul dimse service/... internal/archive/... internal/front/... internal/config internal/obs internal/tlsconf internal/vfs
internal/dump        : dicom dicom/...
internal/interop     :
internal/cli/...     : dicom dicom/... pixel pixel/render pixel/render/ecg pixel/jpeg pixel/j2k ul dimse service/... dicomtest internal/...
cmd/gantry           : internal/cli
scripts              :
examples/...         : dicom dicom/... ul dimse service/...
`

func TestImports(t *testing.T) {
	root := filepath.Join("..", "..")
	for dir, imports := range ourImports(t, root) {
		allowed, ok := rule(dir)
		if !ok {
			t.Errorf("%s: no rule: add its row, as narrow as can be", dir)
		}
		for _, imported := range imports {
			if imported != dir && !matchesAny(allowed, imported) {
				t.Errorf("%s must not import %s", dir, imported)
			}
		}
	}
}

// TestRulesForbid checks that the rules themselves can say no.
func TestRulesForbid(t *testing.T) {
	for _, c := range [][2]string{
		{"dicom", "dimse"}, {"ul", "dicom"}, {"internal/archive/index/sqlite", "internal/archive/blob"},
		{"internal/archive/blob/fsblob", "dicom"}, {"dimse", "internal/archive"},
		{"internal/front/dimsefront", "internal/front/webfront"}, {"service/query", "internal/archive"},
	} {
		if allowed, _ := rule(c[0]); matchesAny(allowed, c[1]) {
			t.Errorf("%s may import %s", c[0], c[1])
		}
	}
}

func rule(dir string) ([]string, bool) {
	for line := range strings.Lines(strings.TrimSpace(rules)) {
		pattern, allowed, _ := strings.Cut(line, ":")
		if matches(strings.TrimSpace(pattern), dir) {
			return strings.Fields(allowed), true
		}
	}
	return nil, false
}

func matches(pattern, dir string) bool {
	if folder, ok := strings.CutSuffix(pattern, "/..."); ok {
		return dir == folder || strings.HasPrefix(dir, folder+"/")
	}
	return pattern == dir
}

func matchesAny(patterns []string, dir string) bool {
	for _, p := range patterns {
		if matches(p, dir) {
			return true
		}
	}
	return false
}

// ourImports lists, for each folder, the packages of this module that its non-test files
// import.
func ourImports(t *testing.T, root string) map[string][]string {
	out := map[string][]string{}
	err := filepath.WalkDir(root, func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && (d.Name() == "testdata" || d.Name() == "node_modules" || d.Name() == "tools" || strings.HasPrefix(d.Name(), ".") && name != root) {
			return filepath.SkipDir
		}
		if !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") {
			return nil
		}
		rel, err := filepath.Rel(root, name)
		if err != nil {
			return err
		}
		dir := path.Dir(filepath.ToSlash(rel))
		if out[dir] == nil {
			out[dir] = []string{}
		}
		f, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ImportsOnly)
		if err != nil {
			return err
		}
		for _, spec := range f.Imports {
			p, _ := strconv.Unquote(spec.Path.Value)
			if ours, ok := strings.CutPrefix(p, "gantry/"); ok {
				out[dir] = append(out[dir], ours)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}
