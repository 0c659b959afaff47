//! The pages of one column of a row group.

use bytes::Bytes;
use parquet::basic::{Compression, Encoding, ZstdLevel};
use parquet::column::page::{CompressedPage, Page, PageWriter as _};
use parquet::column::writer::ColumnCloseResult;
use parquet::errors::ParquetError;
use parquet::file::metadata::ColumnChunkMetaData;
use parquet::file::statistics::Statistics;
use parquet::file::writer::{SerializedPageWriter, SerializedRowGroupWriter, TrackedWrite};
use parquet::schema::types::ColumnDescPtr;
use zstd::zstd_safe::{CParameter, ParamSwitch};

use super::choice::{OWN_ZSTD_LEVEL, ZSTD_LEVEL};

/// Compresses pages, whatever column they are of: what it needs is the largest part of an encoder.
pub(super) struct Compressor {
    zstd: zstd::bulk::Compressor<'static>,
    /// The page that is being made.
    page: Vec<u8>,
    compressed: Vec<u8>,
}

impl std::fmt::Debug for Compressor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Compressor").finish_non_exhaustive()
    }
}

impl Compressor {
    pub(super) fn new() -> Result<Self, ParquetError> {
        let mut zstd = zstd::bulk::Compressor::new(OWN_ZSTD_LEVEL)?;
        zstd.set_parameter(CParameter::LiteralCompressionMode(ParamSwitch::Enable))?;
        Ok(Self { zstd, page: Vec::new(), compressed: Vec::new() })
    }

    /// Compresses the page.
    fn compress(&mut self) -> Result<Bytes, ParquetError> {
        self.compressed.clear();
        self.compressed.reserve(zstd::zstd_safe::compress_bound(self.page.len()));
        self.zstd.compress_to_buffer(&self.page, &mut self.compressed)?;
        Ok(Bytes::copy_from_slice(&self.compressed))
    }
}

/// Pages so far.
#[derive(Default)]
pub(super) struct Pages {
    data: Vec<u8>,
    values: i64,
    uncompressed: i64,
    encodings: Vec<Encoding>,
}

impl std::fmt::Debug for Pages {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Pages").field("values", &self.values).finish_non_exhaustive()
    }
}

impl Pages {
    pub(super) fn bytes(&self) -> usize {
        self.data.len()
    }

    /// Adds a page of `values` values, nulls included, which `fill` appends.
    pub(super) fn data(
        &mut self,
        values: usize,
        compressor: &mut Compressor,
        fill: impl FnOnce(&mut Vec<u8>) -> Encoding,
    ) -> Result<(), ParquetError> {
        compressor.page.clear();
        let encoding = fill(&mut compressor.page);
        let page = Page::DataPage {
            buf: compressor.compress()?,
            num_values: u32::try_from(values).map_err(|_| too_large())?,
            encoding,
            def_level_encoding: Encoding::RLE,
            rep_level_encoding: Encoding::RLE,
            statistics: None,
        };
        let page = CompressedPage::new(page, compressor.page.len());
        self.uncompressed += write(page, &mut self.data)?;
        self.values += i64::try_from(values).map_err(|_| too_large())?;
        if !self.encodings.contains(&encoding) {
            self.encodings.push(encoding);
        }
        Ok(())
    }

    /// The column of a row group; `dictionary`: bytes and number of values of its first page.
    pub(super) fn finish(
        mut self,
        dictionary: Option<(Vec<u8>, usize)>,
        descriptor: ColumnDescPtr,
        rows: u64,
        statistics: Option<Statistics>,
        compressor: &mut Compressor,
    ) -> Result<Chunk, ParquetError> {
        let mut bytes = Vec::new();
        let has_dictionary = dictionary.is_some();
        if let Some((values, count)) = dictionary {
            compressor.page = values;
            let page = Page::DictionaryPage {
                buf: compressor.compress()?,
                num_values: u32::try_from(count).map_err(|_| too_large())?,
                encoding: Encoding::PLAIN,
                is_sorted: false,
            };
            self.uncompressed += write(CompressedPage::new(page, compressor.page.len()), &mut bytes)?;
            self.encodings.push(Encoding::PLAIN);
        }
        let data_at = bytes.len();
        if bytes.is_empty() {
            bytes = self.data;
        } else {
            bytes.append(&mut self.data);
        }
        self.encodings.push(Encoding::RLE);
        let mut metadata = ColumnChunkMetaData::builder(descriptor)
            .set_compression(Compression::ZSTD(ZstdLevel::try_new(ZSTD_LEVEL)?))
            .set_encodings(self.encodings)
            .set_total_compressed_size(signed(bytes.len())?)
            .set_total_uncompressed_size(self.uncompressed)
            .set_num_values(self.values)
            .set_data_page_offset(signed(data_at)?)
            .set_dictionary_page_offset(has_dictionary.then_some(0));
        if let Some(statistics) = statistics {
            metadata = metadata.set_statistics(statistics);
        }
        let close = ColumnCloseResult {
            bytes_written: bytes.len() as u64,
            rows_written: rows,
            metadata: metadata.build()?,
            bloom_filter: None,
            column_index: None,
            offset_index: None,
        };
        Ok(Chunk { bytes: bytes.into(), close })
    }
}

/// Appends a page with its header; bytes that it would take uncompressed.
fn write(page: CompressedPage, into: &mut Vec<u8>) -> Result<i64, ParquetError> {
    let mut sink = TrackedWrite::new(into);
    let mut writer = SerializedPageWriter::new(&mut sink);
    let spec = writer.write_page(page)?;
    writer.close()?;
    signed(spec.uncompressed_size)
}

fn signed(count: usize) -> Result<i64, ParquetError> {
    i64::try_from(count).map_err(|_| too_large())
}

fn too_large() -> ParquetError {
    ParquetError::General("a column chunk is too large for the format".to_owned())
}

/// One column of a row group, encoded.
#[derive(Debug)]
pub(super) struct Chunk {
    pub(super) bytes: Bytes,
    close: ColumnCloseResult,
}

impl Chunk {
    pub(super) fn append_to<W: std::io::Write + Send>(
        self,
        group: &mut SerializedRowGroupWriter<'_, W>,
    ) -> Result<(), ParquetError> {
        group.append_column(&self.bytes, self.close)
    }
}
