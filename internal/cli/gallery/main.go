// Gallery renders all DICOM files below a folder and writes contact sheets of them, to be
// looked at by eye: gallery FOLDER OUTPUT.
package main

import (
	"context"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"image/png"
	"io/fs"
	"os"
	"path/filepath"

	xdraw "golang.org/x/image/draw"

	"gantry/dicom"
	"gantry/dicom/part10"
	"gantry/dicom/tag"
	"gantry/pixel"
	"gantry/pixel/render"
	"gantry/pixel/render/ecg"
)

const (
	tile          = 120 // pixels
	columns, rows = 16, 10
)

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: gallery FOLDER OUTPUT")
		os.Exit(2)
	}
	if err := run(os.Args[1], os.Args[2]); err != nil {
		fmt.Fprintln(os.Stderr, "gallery:", err)
		os.Exit(1)
	}
}

// gallery is the sheet under way, and the list of what is where.
type gallery struct {
	dir   string
	sheet *image.RGBA
	n     int
	list  *os.File
}

func run(from, to string) error {
	if err := os.MkdirAll(to, 0o777); err != nil {
		return err
	}
	list, err := os.Create(filepath.Join(to, "index.tsv"))
	if err != nil {
		return err
	}
	defer list.Close()
	g := &gallery{dir: to, list: list}
	refused := 0
	err = filepath.WalkDir(from, func(name string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		m, err := thumbnail(name)
		if errors.Is(err, pixel.ErrNoPixels) || m == nil && err == nil {
			return nil
		}
		if err != nil {
			refused++
			fmt.Fprintf(list, "-\t%s\t%v\n", name, err)
			return nil
		}
		return g.add(name, m)
	})
	if err != nil {
		return err
	}
	fmt.Printf("%d pictures on %d sheets in %s, %d files not rendered: index.tsv says why\n", g.n, (g.n+columns*rows-1)/(columns*rows), to, refused)
	return g.flush()
}

// thumbnail renders the middle frame of a file, nil for what is no DICOM file.
func thumbnail(name string) (image.Image, error) {
	f, err := part10.Open(name, dicom.DecodeOptions{})
	if err != nil {
		return nil, nil
	}
	defer f.Close()
	if f.DataSet.Has(tag.WaveformSequence) {
		page, err := ecg.NewPage(f.DataSet)
		if err != nil {
			return nil, err
		}
		m, err := page.Image(2)
		if err != nil {
			return nil, err
		}
		out := image.NewRGBA(image.Rect(0, 0, tile, tile*m.Rect.Dy()/m.Rect.Dx()))
		xdraw.BiLinear.Scale(out, out.Rect, m, m.Rect, xdraw.Src, nil)
		return out, nil
	}
	src, err := pixel.Frames(f.DataSet, f.Syntax, pixel.Limits{})
	if err != nil {
		return nil, err
	}
	return render.Frame(context.Background(), f.DataSet, src, src.Len()/2, render.Options{Fit: image.Pt(tile-4, tile-4)})
}

// add puts a picture in the next tile.
func (g *gallery) add(name string, m image.Image) error {
	at := g.n % (columns * rows)
	if at == 0 {
		if err := g.flush(); err != nil {
			return err
		}
		g.sheet = image.NewRGBA(image.Rect(0, 0, columns*tile, rows*tile))
		draw.Draw(g.sheet, g.sheet.Rect, image.NewUniform(color.RGBA{40, 60, 90, 255}), image.Point{}, draw.Src)
	}
	corner := image.Pt(at%columns*tile+2, at/columns*tile+2)
	draw.Draw(g.sheet, m.Bounds().Add(corner), m, m.Bounds().Min, draw.Src)
	g.n++
	_, err := fmt.Fprintf(g.list, "sheet %d, row %d, column %d\t%s\t\n", (g.n-1)/(columns*rows)+1, at/columns+1, at%columns+1, name)
	return err
}

// flush writes the sheet under way.
func (g *gallery) flush() error {
	if g.sheet == nil {
		return nil
	}
	f, err := os.Create(filepath.Join(g.dir, fmt.Sprintf("sheet%02d.png", (g.n-1)/(columns*rows)+1)))
	if err != nil {
		return err
	}
	defer f.Close()
	if err := png.Encode(f, g.sheet); err != nil {
		return err
	}
	return f.Close()
}
